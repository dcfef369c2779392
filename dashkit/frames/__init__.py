"""One file per question; each frame is a function whose first parameter is the Dashboard."""
