"""The providers that the application uses: language models, and mail. One client a vendor, reading only."""
