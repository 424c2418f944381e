"""Models that are served, asked for `Bridge.verify`: over HTTP, or by loading the file that is served."""
