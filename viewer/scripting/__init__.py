"""Scripting: what a program may hang on a viewer, events, actions and keys, and how it is called.

Import from the modules. `scripting.Scripting` is what a `Viewer` and a `Link` have of it.
"""
