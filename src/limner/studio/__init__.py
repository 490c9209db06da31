"""`limner studio`: `limner paint` as a page in the browser, served to this computer alone."""
