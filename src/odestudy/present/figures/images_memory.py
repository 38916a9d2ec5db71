from odestudy.present.figures.style import canvas


def draw(data):
    return canvas()[0]


def caption(data):
    return "caption"


def alt(data):
    return "alt"
