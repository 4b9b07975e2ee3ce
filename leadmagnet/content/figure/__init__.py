"""The figure: six exercise films and every still picture, drawn by this program.

Run `python -m leadmagnet.content.figure` after changing anything here; the
results are kept in `leadmagnet/content/media/`. The app serves those files and
never imports this package, so its libraries stay out of the app's own
requirements (see requirements-film.in).

Units: 100 is her standing height, y points up, the mat is at y = 0. Angles are
in degrees: 0 points right, 90 up. Points are complex numbers, so that moving a
point is `+` and turning a direction by a quarter is `* 1j`.
"""
