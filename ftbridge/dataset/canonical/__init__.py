"""The canonical format: its types, its rules, and what is wrong with a row that breaks them."""
