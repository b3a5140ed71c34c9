/* libvpx's encoder behind plain functions and numbers, so that the layout of its structs,
 * which changes from release to release, is only ever known to the C compiler. */
#include "shim.h"

#include <stdlib.h>
#include <string.h>

#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

enum { FASTEST = 9 };

struct gc_vpx_encoder {
  vpx_codec_ctx_t codec;
  vpx_codec_enc_cfg_t config;
  gc_vpx_settings settings;
  uint32_t speed;
  int64_t frames;
};

static int apply_controls(gc_vpx_encoder *self) {
  const gc_vpx_settings *settings = &self->settings;
  vpx_codec_ctx_t *codec = &self->codec;
#define CONTROL(id, value) \
  if (vpx_codec_control(codec, id, value) != VPX_CODEC_OK) return -1
  CONTROL(VP8E_SET_CPUUSED, (int)self->speed);
  CONTROL(VP9E_SET_TUNE_CONTENT, settings->screen_content ? VP9E_CONTENT_SCREEN : VP9E_CONTENT_DEFAULT);
  CONTROL(VP9E_SET_AQ_MODE, 0U);
  CONTROL(VP9E_SET_ROW_MT, settings->threads > 1 ? 1U : 0U);
  CONTROL(VP9E_SET_TILE_COLUMNS, (int)settings->tile_columns_log2);
  CONTROL(VP9E_SET_FRAME_PARALLEL_DECODING, 0U);
  CONTROL(VP9E_SET_NOISE_SENSITIVITY, 0U);
  CONTROL(VP8E_SET_STATIC_THRESHOLD, 1U);
  CONTROL(VP8E_SET_ENABLEAUTOALTREF, 0U);
  CONTROL(VP9E_SET_COLOR_SPACE, (int)VPX_CS_BT_709);
  CONTROL(VP9E_SET_COLOR_RANGE, (int)VPX_CR_FULL_RANGE);
#undef CONTROL
  return 0;
}

int gc_vpx_encoder_open(const gc_vpx_settings *settings, gc_vpx_encoder **out) {
  *out = NULL;
  gc_vpx_encoder *self = calloc(1, sizeof(*self));
  if (!self) return VPX_CODEC_MEM_ERROR;
  self->settings = *settings;
  self->speed = FASTEST;

  vpx_codec_enc_cfg_t *config = &self->config;
  vpx_codec_err_t status = vpx_codec_enc_config_default(vpx_codec_vp9_cx(), config, 0);
  if (status == VPX_CODEC_OK) {
    config->g_w = settings->width;
    config->g_h = settings->height;
    config->g_profile = settings->full_chroma ? 1 : 0;
    config->g_threads = settings->threads;
    config->g_timebase.num = 1;
    config->g_timebase.den = 30;
    config->g_pass = VPX_RC_ONE_PASS;
    config->g_lag_in_frames = 0;
    config->g_error_resilient = 0;
    /* Decides how it searches. The quantizer is fixed for every frame, so it controls no rate. */
    config->rc_end_usage = VPX_CBR;
    config->rc_dropframe_thresh = 0;
    config->rc_resize_allowed = 0;
    config->kf_mode = VPX_KF_DISABLED;
    status = vpx_codec_enc_init(&self->codec, vpx_codec_vp9_cx(), config, 0);
  }
  if (status != VPX_CODEC_OK) {
    free(self);
    return status;
  }
  if (apply_controls(self)) {
    status = vpx_codec_destroy(&self->codec);
    free(self);
    return status == VPX_CODEC_OK ? VPX_CODEC_ERROR : status;
  }
  *out = self;
  return VPX_CODEC_OK;
}

int gc_vpx_encoder_encode(gc_vpx_encoder *self, const gc_vpx_planes *planes, const gc_vpx_frame *frame,
                          gc_vpx_packet *packet) {
  memset(packet, 0, sizeof(*packet));
  const gc_vpx_settings *settings = &self->settings;

  vpx_codec_err_t status = VPX_CODEC_OK;
  if (frame->quantizer != self->config.rc_min_quantizer || frame->quantizer != self->config.rc_max_quantizer) {
    self->config.rc_min_quantizer = self->config.rc_max_quantizer = frame->quantizer;
    status = vpx_codec_enc_config_set(&self->codec, &self->config);
  }
  if (status == VPX_CODEC_OK && frame->speed != self->speed) {
    status = vpx_codec_control(&self->codec, VP8E_SET_CPUUSED, (int)frame->speed);
    self->speed = frame->speed;
  }
  if (status != VPX_CODEC_OK) return status;

  vpx_image_t image;
  vpx_img_fmt_t format = settings->full_chroma ? VPX_IMG_FMT_I444 : VPX_IMG_FMT_I420;
  /* Wrapping only fills in the description; the planes are set below. */
  if (!vpx_img_wrap(&image, format, settings->width, settings->height, 1, (unsigned char *)planes->data[0]))
    return VPX_CODEC_INVALID_PARAM;
  for (int plane = 0; plane < 3; plane++) {
    image.planes[plane] = (unsigned char *)planes->data[plane];
    image.stride[plane] = (int)planes->stride[plane];
  }
  image.cs = VPX_CS_BT_709;
  image.range = VPX_CR_FULL_RANGE;

  vpx_enc_frame_flags_t flags = frame->key ? VPX_EFLAG_FORCE_KF : 0;
  status = vpx_codec_encode(&self->codec, &image, self->frames, 1, flags, VPX_DL_REALTIME);
  if (status != VPX_CODEC_OK) return status;
  self->frames++;

  vpx_codec_iter_t iterator = NULL;
  const vpx_codec_cx_pkt_t *next;
  while ((next = vpx_codec_get_cx_data(&self->codec, &iterator))) {
    if (next->kind != VPX_CODEC_CX_FRAME_PKT) continue;
    packet->data = next->data.frame.buf;
    packet->length = next->data.frame.sz;
    packet->key = (next->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
  }
  return VPX_CODEC_OK;
}

void gc_vpx_encoder_close(gc_vpx_encoder *self) {
  vpx_codec_destroy(&self->codec);
  free(self);
}

const char *gc_vpx_describe(int status) { return vpx_codec_err_to_string((vpx_codec_err_t)status); }
