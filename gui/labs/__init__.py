"""Labs: pages over the working area where one thing is taken apart number by number."""
