"""Removing what nobody needs any more: on this machine, and at vendors."""
