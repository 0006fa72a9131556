"""In: `python -m appliance.engines.sound --socket PATH --config FILE`. Out: the sound engine, served on that socket."""

from __future__ import annotations

from appliance.engines.host import main
from appliance.engines.sound.engine import open_sound

if __name__ == "__main__":
    main("sound", open_sound)
