"""The window of Matrizen. Imports the engine; nothing but main.py and the tests import it."""
