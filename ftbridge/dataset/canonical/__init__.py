"""The canonical format: its types, its rules, and why a row breaks them."""
