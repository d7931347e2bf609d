"""Meshing: where a label is, its surface, and the files that other programs read.

`meshes.Meshes` makes and keeps the surfaces of one labels layer; `isosurface` that of an image.
"""
