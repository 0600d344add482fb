"""Speed and agreement, measured; run by hand or with make bench."""
