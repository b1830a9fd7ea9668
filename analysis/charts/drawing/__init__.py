"""What the charts share: sheets, scales, colours, texts and marks."""
