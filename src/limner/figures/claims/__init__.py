"""What each figure claims, what is trained for it, and what decides it: a module a part of the thesis."""
