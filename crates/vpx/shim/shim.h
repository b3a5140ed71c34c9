/* What crosses between Rust and C; the other side of it is src/sys.rs. */
#ifndef GC_VPX_SHIM_H
#define GC_VPX_SHIM_H

#include <stddef.h>
#include <stdint.h>

/* Fixed while an encoder lives. */
typedef struct gc_vpx_settings {
  uint32_t width;
  uint32_t height;
  uint32_t full_chroma;
  uint32_t threads;
  uint32_t tile_columns_log2;
  uint32_t screen_content;
} gc_vpx_settings;

/* May change with every frame. */
typedef struct gc_vpx_frame {
  uint32_t key;
  uint32_t quantizer; /* 0 to 63 */
  uint32_t speed;     /* 0 to 9 */
} gc_vpx_frame;

typedef struct gc_vpx_planes {
  const uint8_t *data[3];
  size_t stride[3];
} gc_vpx_planes;

/* Lives until the next call with the same encoder. */
typedef struct gc_vpx_packet {
  const uint8_t *data;
  size_t length;
  uint32_t key;
} gc_vpx_packet;

/* Lives until the next call with the same decoder. */
typedef struct gc_vpx_picture {
  const uint8_t *data[3];
  size_t stride[3];
  uint32_t width;
  uint32_t height;
  uint32_t full_chroma;
  uint32_t our_colours; /* BT.709 in full range, as the encoder writes it */
} gc_vpx_picture;

typedef struct gc_vpx_encoder gc_vpx_encoder;
typedef struct gc_vpx_decoder gc_vpx_decoder;

/* Each answers 0 or a vpx_codec_err_t, for gc_vpx_describe. */
int gc_vpx_encoder_open(const gc_vpx_settings *settings, gc_vpx_encoder **out);
int gc_vpx_encoder_encode(gc_vpx_encoder *self, const gc_vpx_planes *planes, const gc_vpx_frame *frame,
                          gc_vpx_packet *packet);
void gc_vpx_encoder_close(gc_vpx_encoder *self);

int gc_vpx_decoder_open(uint32_t threads, gc_vpx_decoder **out);
/* A packet without a picture to show leaves picture->data[0] null. */
int gc_vpx_decoder_decode(gc_vpx_decoder *self, const uint8_t *data, size_t length, gc_vpx_picture *picture);
void gc_vpx_decoder_close(gc_vpx_decoder *self);

const char *gc_vpx_describe(int status);

#endif
