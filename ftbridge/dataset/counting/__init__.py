"""Counting tokens, exactly or as an estimate with an error bar."""
