/*
 * Predicts rows of CSV: predict_csv < rows.csv
 *
 * Each line of standard input holds MODEL_N_FEATURES numbers with commas between them. Each line of
 * output holds the label, then all outputs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define LONGEST_LINE 65536

/* Read exactly MODEL_N_FEATURES numbers; 0 where the line holds something else. */
static int read_row(const char *line, float *x)
{
    for (int column = 0; column < MODEL_N_FEATURES; column++) {
        char *end;
        x[column] = strtof(line, &end);
        if (end == line || (column + 1 < MODEL_N_FEATURES && *end != ',')) {
            return 0;
        }
        line = end + 1;
        if (column + 1 == MODEL_N_FEATURES && end[strspn(end, " \r\n")] != '\0') {
            return 0;
        }
    }
    return 1;
}

int main(void)
{
    static char line[LONGEST_LINE];
    float x[MODEL_N_FEATURES];
    float y[MODEL_N_OUTPUTS];
    float scratch[MODEL_SCRATCH];

    for (long number = 1; fgets(line, sizeof line, stdin) != NULL; number++) {
        if (!read_row(line, x)) {
            fprintf(stderr, "line %ld: expected %d numbers with commas between them, found %s\n",
                    number, MODEL_N_FEATURES, line);
            return EXIT_FAILURE;
        }
        if (model_predict(x, y, scratch) != MODEL_OK) {
            fprintf(stderr, "line %ld: NaN and infinity are no inputs, found %s\n", number, line);
            return EXIT_FAILURE;
        }
        printf("%s", model_labels[model_predict_class(y)]);
        for (int column = 0; column < MODEL_N_OUTPUTS; column++) {
            printf(",%.9g", (double)y[column]);
        }
        printf("\n");
    }
    return EXIT_SUCCESS;
}
