"""Lessons: files that a teacher can copy and edit, and the panel that leads through them."""
