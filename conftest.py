"""Every pytest run knows the pages: the plugin is in tests/pages/plugin.py."""

pytest_plugins = ["tests.pages.plugin"]
