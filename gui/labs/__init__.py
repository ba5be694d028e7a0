"""Pages that fill the window: one thing looked at closely, and measured or walked through."""
