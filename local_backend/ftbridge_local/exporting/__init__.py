"""A finished job's result in the forms that other programs take."""
