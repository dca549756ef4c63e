"""What commands share: flags, streams, results, how they end."""
