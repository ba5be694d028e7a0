"""Data sources: where examples come from, how they are checked, and what was fixed on the way in.

`engine.data.loading` is the door: `load` makes a `Dataset` (dataset.py) from a `SourceSpec` (source.py).
Reading pictures is the business of `engine.data.pictures`, the only importer of OpenCV; nothing here
imports it early, so that a window without pictures starts without it.
"""
