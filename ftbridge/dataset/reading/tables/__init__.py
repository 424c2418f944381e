"""Rows from CSV, TSV, Parquet and Excel, and what their cells hold."""
