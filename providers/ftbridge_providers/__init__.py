"""The hosted vendors, one folder each: everything that is particular to a vendor is in its folder."""
