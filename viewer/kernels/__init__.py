"""Compiled loops: ndarray in, ndarray out; they release the GIL and know nothing of layers.

Import from the modules, when first needed: numba takes a quarter of a second to import.
"""
