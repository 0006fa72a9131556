"""Commands that people give on the page: to devices through the broker, answers awaited, every one in the audit log."""
