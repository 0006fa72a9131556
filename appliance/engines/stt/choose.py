"""In: settings and the models at hand. Out: the recogniser that runs, or one sentence why none can."""

from __future__ import annotations

from appliance.engines.stt.constrained import ConstrainedRecogniser
from appliance.engines.stt.seam import Recogniser
from appliance.engines.stt.sherpa import SherpaRecogniser
from appliance.engines.stt.sphinx import SphinxRecogniser
from appliance.engines.stt.transducer import drivable
from appliance.errors import SttError
from appliance.settings.child import ChildConfig


def choose(config: ChildConfig) -> Recogniser:
    """Loads the engine that `stt.engine` names; 'auto' takes the best that the models allow. Blocks while loading."""
    settings, model = config.settings.stt, config.models.stt
    if settings.engine == "pocketsphinx" or (settings.engine == "auto" and model is None):
        return SphinxRecogniser()
    if model is None:
        raise SttError("model-missing", f"stt.engine = {settings.engine} needs a model: run `appliance models fetch`.")
    if settings.engine == "grammar" or (settings.engine == "auto" and drivable(model) is None):
        return ConstrainedRecogniser(model, settings)
    return SherpaRecogniser(model, settings)
