/* libvpx's decoder behind plain functions and numbers. */
#include "shim.h"

#include <stdlib.h>
#include <string.h>

#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

struct gc_vpx_decoder {
  vpx_codec_ctx_t codec;
};

int gc_vpx_decoder_open(uint32_t threads, gc_vpx_decoder **out) {
  *out = NULL;
  gc_vpx_decoder *self = calloc(1, sizeof(*self));
  if (!self) return VPX_CODEC_MEM_ERROR;
  vpx_codec_dec_cfg_t config = { .threads = threads, .w = 0, .h = 0 };
  vpx_codec_err_t status = vpx_codec_dec_init(&self->codec, vpx_codec_vp9_dx(), &config, 0);
  if (status != VPX_CODEC_OK) {
    free(self);
    return status;
  }
  *out = self;
  return VPX_CODEC_OK;
}

int gc_vpx_decoder_decode(gc_vpx_decoder *self, const uint8_t *data, size_t length, gc_vpx_picture *picture) {
  memset(picture, 0, sizeof(*picture));
  if (length > UINT32_MAX) return VPX_CODEC_INVALID_PARAM;
  vpx_codec_err_t status = vpx_codec_decode(&self->codec, data, (unsigned int)length, NULL, 0);
  if (status != VPX_CODEC_OK) return status;

  vpx_codec_iter_t iterator = NULL;
  const vpx_image_t *image = NULL, *next;
  while ((next = vpx_codec_get_frame(&self->codec, &iterator))) image = next;
  if (!image) return VPX_CODEC_OK;
  if (image->fmt != VPX_IMG_FMT_I420 && image->fmt != VPX_IMG_FMT_I444) return VPX_CODEC_UNSUP_BITSTREAM;

  for (int plane = 0; plane < 3; plane++) {
    picture->data[plane] = image->planes[plane];
    picture->stride[plane] = (size_t)image->stride[plane];
  }
  picture->width = image->d_w;
  picture->height = image->d_h;
  picture->full_chroma = image->fmt == VPX_IMG_FMT_I444;
  picture->our_colours = image->cs == VPX_CS_BT_709 && image->range == VPX_CR_FULL_RANGE;
  return VPX_CODEC_OK;
}

void gc_vpx_decoder_close(gc_vpx_decoder *self) {
  vpx_codec_destroy(&self->codec);
  free(self);
}
