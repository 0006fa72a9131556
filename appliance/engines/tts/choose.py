"""In: settings and the models at hand. Out: the voice that speaks, or one sentence why none can."""

from __future__ import annotations

from appliance.engines.tts.espeak import EspeakSpeaker
from appliance.engines.tts.libespeak import Espeak
from appliance.engines.tts.protocol import Speaker
from appliance.engines.tts.vits import VitsSpeaker
from appliance.errors import ModelError, TtsError
from appliance.wire.child import ChildConfig


def choose(config: ChildConfig) -> Speaker:
    """Loads the engine that `tts.engine` names; 'auto' takes the neural voice where there is one. Blocks."""
    settings, model = config.settings.tts, config.models.tts
    library = Espeak()
    if settings.engine == "espeak" or (settings.engine == "auto" and (model is None or model.kind == "espeak")):
        return EspeakSpeaker(config.settings.device.language, settings, library)
    if model is None:
        raise TtsError("model-missing", "tts.engine = sherpa needs a voice: run `appliance models fetch`.")
    if model.kind != "vits":
        raise ModelError("model-kind", f"The voice {model.name} is of kind '{model.kind}'; only vits can be spoken.")
    return VitsSpeaker(model, settings.speed, settings.threads, library)
