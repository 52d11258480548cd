# maturin wraps the native module in a package of the same name with the same contents.
from . import *
from . import __all__ as __all__
