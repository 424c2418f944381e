"""The engine that hosts any vendor's mock: a life cycle driven by time, and faults by rule.

What a vendor's mock says and takes is in the vendor's room; here is what all of them share.
"""

from ftbridge.mock.faults import Fault, Faults, parse_fault
from ftbridge.mock.script import Moment, Script, write_script
from ftbridge.mock.store import Store
from ftbridge.mock.vendor import Answer, Call, MockVendor, Refusal, Seen, operation
from ftbridge.mock.vendors import MockVendors

__all__ = [
    "Answer",
    "Call",
    "Fault",
    "Faults",
    "MockVendor",
    "MockVendors",
    "Moment",
    "Refusal",
    "Script",
    "Seen",
    "Store",
    "operation",
    "parse_fault",
    "write_script",
]
