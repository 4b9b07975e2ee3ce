"""From a text and a reader to a finished email: documents, Markdown, layout, links, values, headers.

Everything here is a function of its arguments. Must not know: a session, Flask, the settings, the time.
"""
