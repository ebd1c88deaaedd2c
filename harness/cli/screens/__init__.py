"""What takes more than a table to show: forecasts, and samples one a screen."""
