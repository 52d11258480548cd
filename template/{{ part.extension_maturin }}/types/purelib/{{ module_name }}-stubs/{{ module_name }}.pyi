# maturin wraps a native module into a package of the same name: both have the same contents.
from . import *
from . import __all__ as __all__
