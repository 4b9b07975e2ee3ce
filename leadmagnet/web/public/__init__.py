"""Pages for everybody: landing page, sign-up, article, privacy."""
