"""From a file to examples: compression, lines, tables, JSON, formats."""
