"""In: the card. Out: detections and, while listened to, audio; in: replies, out: sound. The only owner of the card."""
