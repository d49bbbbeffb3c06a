"""House prices in California (Pace and Barry 1997): a regression on 20,640 districts.

scikit-learn downloads the data once into its data folder (the environment variable
SCIKIT_LEARN_DATA names another one). Run it with ``python examples/california.py``.
"""

from __future__ import annotations

from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import QuantileTransformer

import fastmlp as fm
from fastmlp import datasets

try:
    data = datasets.load("california_housing")
except OSError as error:
    print(f"skipped: {error}")
    raise SystemExit(0) from None

X_train, X_test, y_train, y_test = train_test_split(data.X, data.y, test_size=0.2, random_state=0)
# A few districts have over a thousand people a household, where most have three. Ranks, spread
# like a normal distribution, leave no such outliers; means and standard deviations would.
transformer = QuantileTransformer(output_distribution="normal", random_state=0).fit(X_train)
X_train, X_test = transformer.transform(X_train), transformer.transform(X_test)

EPOCHS = 100
model = fm.Sequential(
    [
        fm.Dense(64, activation="silu"),
        fm.Dense(64, activation="silu"),
        fm.Dense(1),
    ],
    optimizer=fm.AdamW(fm.CosineDecay(3e-3, EPOCHS), weight_decay=0.01),
    random_state=0,
)
history = model.fit(X_train, y_train, epochs=EPOCHS, batch_size=128, verbose=0)
seconds = sum(history["seconds"])
print(f"{EPOCHS} epochs in {seconds:.2f} s, {1e3 * seconds / EPOCHS:.1f} ms each\n")

metrics = model.evaluate(X_test, y_test)
linear = LinearRegression().fit(X_train, y_train)
print(f"mean absolute error     ${1e5 * metrics['mae']:,.0f}")
print(f"root mean square error  ${1e5 * metrics['rmse']:,.0f}")
print(f"R2                      {metrics['r2']:.3f}")
print(f"R2 of a linear model    {r2_score(y_test, linear.predict(X_test)):.3f}")
