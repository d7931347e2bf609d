"""Pyramids: the levels of a source, read where they are given and made where they are not.

`pyramid.Pyramid` is the way to the voxels for all others. It reads from `blocks`, which come from
the source, the level below, a preview, or a file in which somebody `build` them before.
"""
