"""One array library per process, because TensorFlow and torch can abort when both are loaded.

The environment variable ``AK_LIBRARY`` (numpy, array_api_strict, dask, torch, jax or tensorflow; numpy if unset) names
the library under test. Which tests run follows from what they ask for:

- a test that uses the fixture ``driver`` runs in every process, with the driver of that process's library;
- a test marked ``@pytest.mark.library("torch", ...)`` runs only in the processes of the libraries named;
- every other test is about no library in particular and runs in the numpy process alone.

Tests that are not for this process are deselected. Every process collects every module, so test modules must import
frameworks inside tests (or through ``driver``), never at module level.

Hypothesis runs few, always the same examples; ``--hypothesis-profile=thorough`` runs many new ones.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from environment import XLA_FLAGS
from hypothesis import HealthCheck, Phase, settings

from anomaly_kernels.testing.drivers import DRIVERS, Driver, driver_for

LIBRARY = os.environ.get("AK_LIBRARY", "numpy")

# Keras runs on the library under test, and must not fetch TensorFlow, which it does where it can to save a model.
if LIBRARY in {"torch", "jax", "tensorflow"}:
    os.environ["KERAS_BACKEND"] = LIBRARY
if LIBRARY in {"torch", "jax"}:
    sys.modules["tensorflow"] = None  # type: ignore[assignment]

os.environ.setdefault("XLA_FLAGS", XLA_FLAGS)

# To see which lines run makes graphs 40 % (JAX) to 75 % (Dask) slower; those that these tests reach run in the other
# processes, or in other tests of the same one, as well.
SAME_FORMULAS = {"test_compile_once", "test_contract", "test_mixture", "test_ranking", "test_regions", "test_streaming"}
NOT_COVERED = {"dask": SAME_FORMULAS, "jax": SAME_FORMULAS, "tensorflow": SAME_FORMULAS, "torch": {"test_compile_once"}}

# Whether a formula is what its definition says is seen where each call takes no time: NumPy and torch go the short way
# of arrays that can be looked at, array-api-strict the long one. Graphs give the same numbers, by the contract. What is
# marked for a library, as are gradients where they could be infinite, runs there.
FORMULAS = {"test_series", *(file.stem for file in Path(__file__).parent.glob("test_losses_*.py"))}
# The contract compares gradients with slopes of the values in each library; torch's with those of the formula too.
GRADIENTS = {"test_gradient_is_that_of_the_formula"}
# Keras is one program on its three backends: what its classes write, read, refuse and log is seen on TensorFlow and
# torch. On JAX, which compiles for a second whatever has a new shape, values are seen, and trainings by their logs.
SAME_IN_KERAS = {
    # test_keras_classes
    "test_a_centre_of_its_own_is_saved_and_training_goes_on",
    "test_a_column_beside_a_vector_is_one",
    "test_compile_takes_losses_as_keras_users_give_them",
    "test_configs_make_the_same_object",
    "test_endpoint_layers_add_their_loss_and_are_saved_with_the_model",
    "test_regularizers_regularize_kernels_and_activities",
    # test_keras_metrics
    "test_a_metric_logs_under_its_name_and_alone_by_its_fields",
    "test_digits_make_the_histogram_finer_and_larger",
    "test_models_are_watched_by_single_numbers",
    "test_no_number_vanishes_from_the_logs",
    # test_keras_networks
    "test_an_adapted_kernel_is_among_the_weights",
    "test_a_model_is_copied_and_takes_series_of_any_length",
    "test_a_model_is_fitted_saved_and_scored_without_keras",
    "test_a_score_layer_is_saved_with_its_model",
    "test_gradients_with_respect_to_the_input_are_those_of_the_pure_form",
    "test_masked_steps_change_nothing_and_are_not_learnt",
    "test_masked_steps_have_no_part_in_statistics_and_in_the_loss_of_scores",
    "test_mixed_precision_keeps_weights_and_errors_in_single",
    "test_what_every_layer_of_keras_takes_is_kept",
    # test_keras_objective
    "test_a_model_of_ones_own_returns_more_than_is_wired",
    "test_it_is_saved_with_its_model",
    "test_masks_are_refused_where_they_would_be_ignored",
}
NOT_RUN = {"dask": FORMULAS, "jax": FORMULAS, "tensorflow": FORMULAS}
NEVER_RUN = {"jax": GRADIENTS | SAME_IN_KERAS, "tensorflow": GRADIENTS}  # by name, marked or not

# What these are given is compiled, or built as a graph, each time anew: libraries that do so run every k-th of them, to
# show that they can, the others all. No k divides the number of values of one parameter: the others' come by in turn.
EVERY = {
    "test_a_batch_that_turns_out_empty_in_a_graph_has_loss_zero_and_no_gradient": 4,
    "test_a_count_as_weight_is_that_many_samples_and_0_is_none": 6,
    "test_an_autoencoder_of_given_weights_is_the_pure_one": 3,
    "test_batches_of_series_give_the_mean_over_all": 3,
    "test_compile_takes_losses_as_keras_users_give_them": 3,
    "test_each_metric_can_be_donated": 3,
    "test_every_form_gives_the_value_and_gradient_of_the_function": 4,
    "test_light_weights_keep_their_digits_in_a_state": 5,
    "test_order_and_place_of_images_do_not_matter": 3,
    "test_pooled_batches_of_series_are_those_of_one_state": 4,
    "test_rankings_along_axes_are_those_of_their_parts": 9,
    "test_scores_of_16_bits_are_exact": 5,
    "test_states_keep_scores_as_they_are": 3,
    "test_states_of_batches_have_the_metrics_of_all_images": 3,
    "test_states_of_parts_are_merged_to_that_of_the_whole": 4,
    "test_states_of_parts_merge_to_that_of_the_whole_in_any_order": 4,
    "test_unique_scores_of_any_split_are_those_of_the_batch": 4,
    "test_variables_are_read_in_graphs": 5,
}
COMPILING = {"dask", "jax", "tensorflow"}

MAPPED = Path("/proc/self/maps")

_slow_is_fine = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
settings.register_profile(
    "ci", derandomize=True, max_examples=15, deadline=None, database=None, suppress_health_check=_slow_is_fine
)
settings.register_profile(  # that a mutant fails is enough, no need for its simplest example
    "mutation", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate], report_multiple_bugs=False
)
settings.register_profile("thorough", max_examples=500, deadline=None, suppress_health_check=_slow_is_fine)
settings.load_profile("ci")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "library(*names): run only in the processes that test these libraries")
    if LIBRARY not in DRIVERS:
        raise pytest.UsageError(f"AK_LIBRARY={LIBRARY!r} is none of {', '.join(DRIVERS)}")


def pytest_report_header() -> str:
    return f"array library: {LIBRARY}"


def _is_for_this_process(item: pytest.Item) -> bool:
    if getattr(item, "originalname", None) in NEVER_RUN.get(LIBRARY, ()):
        return False
    marker = item.get_closest_marker("library")
    if marker is not None:
        return LIBRARY in marker.args
    if item.path.stem in NOT_RUN.get(LIBRARY, ()):
        return False
    return LIBRARY == "numpy" or "driver" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept, dropped, met = [], [], Counter[str]()
    for item in items:
        name = getattr(item, "originalname", "")
        runs = _is_for_this_process(item) and (LIBRARY not in COMPILING or met[name] % EVERY.get(name, 1) == 0)
        (kept if runs else dropped).append(item)
        met[name] += 1
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
    for item in items:
        if item.path.stem in NOT_COVERED.get(LIBRARY, ()):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(scope="module", autouse=True)
def _forget_compilations() -> Iterator[None]:
    """JAX keeps what it compiles mapped in memory: Linux lets a process have 65 530 pieces before it crashes.

    The largest module adds 20 000. To forget takes seconds, and then all is compiled anew: as seldom as may be.
    """
    yield
    if LIBRARY == "jax" and (not MAPPED.exists() or len(MAPPED.read_text().splitlines()) > 25_000):
        import jax

        jax.clear_caches()


@pytest.fixture(scope="session")
def driver() -> Driver:
    """The driver of the library that this process tests (see the top of this file)."""
    return driver_for(LIBRARY)
