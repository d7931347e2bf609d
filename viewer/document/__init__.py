"""The document: the state that everybody edits, by patches that are checked, merged and undone.

`document.Document` is the one copy that counts; `rules` says which states there may be.
"""
