"""Data sources: where examples come from, how they are checked, and what was fixed on the way in.

`engine.data.dataset` holds the public door: `Dataset`, `SourceSpec` and `load`. Reading pictures is
the business of `engine.data.pictures`, the only importer of OpenCV; nothing here imports it early, so
that a window without pictures starts without it.
"""
