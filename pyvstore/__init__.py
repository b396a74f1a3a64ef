"""pyvstore: one verified store of packages per machine, thin environments made of directory links."""

__version__ = "0.1.0"
