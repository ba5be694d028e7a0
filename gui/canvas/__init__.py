"""The drawn network: scene, view, items, gestures, layout."""
