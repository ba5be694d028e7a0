"""What every lab stands in: a page over the working area with a title, what it is about, and the way back."""
