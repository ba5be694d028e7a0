"""What the devices of this computer do with the same work, measured here and now."""
