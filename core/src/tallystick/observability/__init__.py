"""Hooks that connect a runner to the tools of operations. Each module needs the extra of its name.

Import the module that you need: nothing here imports another one.
"""
