"""Jobs as configs of other trainers: written with their rows, and read back. One file holds all about one trainer."""
