"""The engine of mocked vendors: a life cycle driven by time, and injected faults.

A vendor's API is mocked in the vendor's room; this is what all mocks share.
"""

from ftbridge.mock.faults import Fault, Faults, parse_fault
from ftbridge.mock.job_timeline import Moment, Script, write_script
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
