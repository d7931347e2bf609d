"""Files as data: one format a file, each a function from a path to `Opened`.

Nothing is read but headers, unless the format leaves no choice (compressed NumPy, NIfTI, NRRD
and FITS files): voxels stay in the file until they are looked at. What a file says about itself, in
whichever words, becomes a `viewer.sources.description.Description`.
"""
