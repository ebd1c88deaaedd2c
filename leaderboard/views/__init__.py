"""One module a page, each with a function `page` that shows it.

Not named `pages`: Streamlit would run the files of such a folder by themselves.
"""
